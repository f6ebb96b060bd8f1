"""The embedding models: on disk, in their runtimes, and as the embedder that the rest of the product asks."""
