"""Max pooling, forward."""
