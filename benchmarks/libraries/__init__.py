"""Other libraries that train, each written the way its documentation shows it: one module a peer.

Each has a function ``prepare(inputs, targets, model, batch_size, lr)`` that returns a function which trains one epoch
in shuffled order, with SGD and cross-entropy. ``inputs`` are standardised float32 tensors in main memory; the model is
trained in place, on the device where it lies. Those named in `benchmarks.peers.HALF` take ``precision="bf16"`` too.
"""
