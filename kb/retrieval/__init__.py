"""Questions against one build: filters, snapshot, searcher, ranking, and what readers may no longer see."""
