"""A hardness that the same text takes back."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    "text",
    [
        "Nodule of the left elbow, initially thought hard; on re-examination soft and mobile.",
        "Hard nodule left elbow. On re-examination today it is soft and mobile.",
        "Hard nodule left elbow. On repeat palpation the nodule is in fact soft.",
        "Nódulo del codo izquierdo, inicialmente impresionaba duro; en la reexploración blando y móvil.",
        "Nódulo duro del codo. Al reexplorar es blando y móvil.",
        "Nódulo do cotovelo inicialmente considerado duro; ao reexame mole e móvel.",
        "Nodule du coude initialement jugé dur ; au réexamen, mou et mobile.",
        "Knoten am Ellenbogen, zunächst als hart beschrieben; bei erneuter Untersuchung weich und verschieblich.",
        "Harter Knoten am Ellenbogen. Bei erneuter Palpation tatsächlich weich.",
    ],
)
def test_an_explicit_correction_to_soft_counts(text: str) -> None:
    (found,) = ENGINE.read(text).lesions
    assert found.hardness == "against" and found.sites


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodule of the left elbow; on re-examination still hard.",
        "Hard nodule of the left elbow; on re-examination the surrounding tissue is soft.",
        "Hard nodule of the left elbow. On re-examination a soft nodule of the right knee.",
        "Hard nodule of the left elbow, now soft.",
        "Nodule of the left elbow, initially soft, on re-examination hard.",
        "Hard nodules of both elbows. On re-examination, abdomen soft and non-tender.",
        "Hard nodule of the elbow, on re-examination not soft.",
        "Harter Knoten am Ellenbogen. Bei der Kontrolle nach drei Monaten weich.",
    ],
)
def test_what_is_no_correction_of_it_leaves_it_hard(text: str) -> None:
    assert ENGINE.read(text).lesions[0].hardness == "definite"
