"""A variational autoencoder of the digits: a network with a loss of its own, and pictures to look at.

python examples/own_vae.py
tui train --model examples/own_vae.py:Vae --data mnist --set data.scaling=unit --optimizer adam
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from tui.cli import main


class Vae(nn.Module):
    """Encodes an image as the mean and variance of a few numbers, and decodes a draw of them (Kingma and Welling 2014).

    Args:
        sample_shape: (channels, height, width), filled from the data.
    """

    def __init__(self, sample_shape: tuple[int, ...], latent: int = 8, width: int = 128) -> None:
        super().__init__()
        self.sample_shape, self.latent = tuple(sample_shape), latent
        pixels = torch.Size(sample_shape).numel()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, width), nn.ReLU(), nn.Linear(width, 2 * latent)
        )
        self.decoder = nn.Sequential(nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, pixels))

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, channels, height, width), from 0 to 1, to the means of their codes (batch, latent)."""
        return self.encoder(images)[:, : self.latent]

    def training_step(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the negative evidence lower bound and its two parts, means over the batch, in nats."""
        images, _ = batch
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        codes = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        errors = binary_cross_entropy_with_logits(self.decoder(codes), images.flatten(1), reduction="none")
        divergences = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
        reconstruction, kl = errors.sum(dim=1).mean(), divergences.sum(dim=1).mean()
        return {"loss": reconstruction + kl, "reconstruction_loss": reconstruction, "kl": kl}

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the same numbers, and sixteen new images for Evaluate."""
        codes = torch.randn(16, self.latent, device=batch[0].device)
        images = self.decoder(codes).sigmoid().reshape(16, *self.sample_shape)
        return {**self.training_step(batch), "samples": images}


if __name__ == "__main__":
    import sys

    choices = ["--model", f"{__file__}:Vae", "--data", "digits", "--set", "data.scaling=unit"]
    choices += ["--optimizer", "adam", "--lr", "0.003", "--epochs", "20"]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
