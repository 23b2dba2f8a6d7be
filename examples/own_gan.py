"""A small generative adversarial network: two networks, two optimizers, stepped by the network itself.

python examples/own_gan.py
tui train --model examples/own_gan.py:Gan --data mnist --set data.scaling=unit
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.optim import Adam, Optimizer

from tui.cli import main

Batch = tuple[Tensor, Tensor]


class Gan(nn.Module):
    """A generator makes images of noise, and a critic tells them from real ones (Goodfellow et al. 2014)."""

    def __init__(
        self, sample_shape: tuple[int, ...], latent: int = 16, width: int = 64, lr: float = 3e-3
    ) -> None:
        super().__init__()
        self.sample_shape, self.latent, self.lr = tuple(sample_shape), latent, lr
        pixels = torch.Size(sample_shape).numel()
        self.generator = nn.Sequential(
            nn.Linear(latent, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, pixels),
            nn.Sigmoid(),
        )
        self.critic = nn.Sequential(
            nn.Linear(pixels, width), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(width, 1)
        )

    def configure_optimizers(self) -> dict[str, Optimizer]:
        """Return an optimizer for each of the two; the schedule scales the learning rates of both."""
        return {
            "critic": Adam(self.critic.parameters(), lr=self.lr, betas=(0.5, 0.999)),
            "generator": Adam(self.generator.parameters(), lr=self.lr, betas=(0.5, 0.999)),
        }

    def generate(self, count: int) -> Tensor:
        """Return so many images, flat."""
        noise = torch.randn(count, self.latent, device=next(self.parameters()).device)
        images: Tensor = self.generator(noise)
        return images

    def training_step(self, batch: Batch, optimizers: dict[str, Optimizer]) -> dict[str, Tensor]:
        """Move the critic, then the generator."""
        real = batch[0].flatten(1)
        fake = self.generate(len(real))
        critic_loss = self.judge(real, fake.detach())
        optimizers["critic"].zero_grad()
        critic_loss.backward()
        optimizers["critic"].step()

        answers = self.critic(fake)
        generator_loss = cross_entropy(answers, torch.ones_like(answers))
        optimizers["generator"].zero_grad()
        generator_loss.backward()
        optimizers["generator"].step()
        return {"critic_loss": critic_loss, "generator_loss": generator_loss}

    def judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss of the critic, which answers 1 for real images."""
        of_real, of_fake = self.critic(real), self.critic(fake)
        return cross_entropy(of_real, torch.ones_like(of_real)) + cross_entropy(
            of_fake, torch.zeros_like(of_fake)
        )

    def validation_step(self, batch: Batch) -> dict[str, Tensor]:
        """Return the critic's loss, how far mean and deviation of generated images are from real ones, and images."""
        real = batch[0].flatten(1)
        fake = self.generate(len(real))
        distance = (fake.mean(0) - real.mean(0)).norm() + (fake.std(0) - real.std(0)).norm()
        images = fake[:16].reshape(-1, *self.sample_shape)
        return {"loss": distance, "critic_loss": self.judge(real, fake), "samples": images}


if __name__ == "__main__":
    import sys

    choices = ["--model", f"{__file__}:Gan", "--data", "digits", "--set", "data.scaling=unit"]
    choices += ["--batch-size", "32", "--epochs", "40"]
    sys.argv = ["tui", "train", "--no-ui", *choices, *sys.argv[1:]]
    main()
