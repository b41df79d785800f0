"""ENTSO-E: its documents, its simulator, a week of questions."""
