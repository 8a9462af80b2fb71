"""What statistics of layers are called on the page, and what they mean."""

STATISTICS = {
    "term": "term",
    "inverse_cv": "inverse CV",
    "mean_abs_grad": "mean |g|",
    "std": "std of g",
    "log_size": "log size",
}
MEANINGS = {
    "term": "what the layer adds to the score of its network",
    "inverse_cv": "mean of |g| over its standard deviation (inverse coefficient of variation), summed over the weights",
    "mean_abs_grad": "mean size of the gradients of the layer's weights",
    "std": "standard deviation of the gradients of the layer's weights over the batches",
    "log_size": "logarithm of the number of the layer's weights: the size that a score may merely repeat",
    "depth": "middle of the layer as a share of the layers of its network: 0 is the input, 1 the head",
    "shape": "of the layer's weight: outputs × inputs × height × width of the window",
    "weights": "number of the layer's weights",
}
"""What is said of a column on hover."""
