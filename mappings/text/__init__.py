"""Free text: what a phrase of a chart says, in English, Spanish, Portuguese, French and German."""
