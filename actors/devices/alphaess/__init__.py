"""AlphaESS home batteries over the maker's Open API."""
