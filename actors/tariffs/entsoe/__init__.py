"""The transparency platform of ENTSO-E: day-ahead prices of nearly all of Europe."""
