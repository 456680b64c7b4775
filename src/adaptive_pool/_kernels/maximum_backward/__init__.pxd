"""Max pooling, backward."""
