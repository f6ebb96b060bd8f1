"""Questions against one build: ports, filters, snapshot, searcher, fusion, and what readers may no longer see."""
