"""Average pooling, backward."""
