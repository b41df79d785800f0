"""The tests of Heliograph; the tree mirrors the packages."""
