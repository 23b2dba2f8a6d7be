"""Random changes to training images, on whole batches on the device: `options` lists them, `augmenter` makes them."""
