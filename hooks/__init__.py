"""What we decide and say: the knowledge as data, the assessment, the cards, the hooks. No I/O, no clock."""
