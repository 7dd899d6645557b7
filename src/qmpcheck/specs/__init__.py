"""Specs: their names, the catalogue, and the readers of documents, schemas and binaries."""
