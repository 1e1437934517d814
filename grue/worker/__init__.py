"""Takes queued submissions: generates where no label is in reach, scores, and puts the result into the store."""
