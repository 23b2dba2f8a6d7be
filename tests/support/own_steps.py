"""Networks that define their own training step, as users write them, for tests."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

Batch = tuple[Tensor, Tensor]


class Classifier(nn.Module):
    """Returns the bare loss; validated by its training step."""

    def __init__(self, in_features: int, num_classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(in_features, 16),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(16, num_classes),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """(b, *sample_shape) to (b, num_classes)."""
        outputs: Tensor = self.layers(inputs)
        return outputs

    def training_step(self, batch: Batch) -> Tensor:
        """The loss alone."""
        inputs, targets = batch
        return cross_entropy(self(inputs), targets)


class Halves(Classifier):
    """Each layer has an optimizer; nothing is drawn, and what validates is the same without gradients."""

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Of the first and of the last layer."""
        return [torch.optim.SGD(self.layers[place].parameters(), lr=0.05) for place in (1, 4)]

    def training_step(self, batch: Batch, optimizers: Any = ()) -> Tensor:
        """Both move along the gradient of one loss."""
        loss = super().training_step(batch)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return loss

    def validation_step(self, batch: Batch) -> dict[str, Any]:
        """The loss."""
        return {"loss": super().training_step(batch)}


class Vae(nn.Module):
    """A variational autoencoder: draws random numbers in training and validation, and in its samples."""

    def __init__(self, in_features: int, latent: int = 3) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(in_features, 16), nn.ReLU(), nn.Linear(16, 2 * latent)
        )
        self.decoder = nn.Sequential(nn.Linear(latent, 16), nn.ReLU(), nn.Linear(16, in_features))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction, mean and logarithm of the variance."""
        mean, logvar = self.encoder(inputs).chunk(2, dim=1)
        return self.decoder(mean + torch.randn_like(mean) * (logvar / 2).exp()), mean, logvar

    def training_step(self, batch: Batch) -> dict[str, Tensor]:
        """The negative evidence lower bound, and its parts."""
        inputs, _ = batch
        outputs, mean, logvar = self(inputs)
        reconstruction = mse_loss(outputs, inputs.flatten(1), reduction="none").sum(1).mean()
        kl = -0.5 * (1 + logvar - mean.square() - logvar.exp()).sum(1).mean()
        return {"loss": reconstruction + kl, "kl": kl, "elbo": -reconstruction - kl}

    def validation_step(self, batch: Batch) -> dict[str, Any]:
        """The same, and new digits."""
        drawn = torch.randn(4, self.latent, device=batch[0].device)
        return {**self.training_step(batch), "samples": self.decoder(drawn).reshape(4, 1, 8, -1)}


class Gan(nn.Module):
    """Two networks against each other, each with its optimizer; it has no ``forward``."""

    def __init__(self, in_features: int, latent: int = 4) -> None:
        super().__init__()
        self.latent = latent
        self.generator = nn.Sequential(nn.Linear(latent, 16), nn.ReLU(), nn.Linear(16, in_features))
        self.critic = nn.Sequential(nn.Linear(in_features, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """One for each."""
        return {
            "critic": torch.optim.Adam(self.critic.parameters(), lr=0.002),
            "generator": torch.optim.SGD(self.generator.parameters(), lr=0.01, momentum=0.5),
        }

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Of the critic, and of the generator."""
        real = batch[0].flatten(1)
        fake = self.generator(torch.randn(len(real), self.latent, device=real.device))
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        loss = binary_cross_entropy_with_logits
        of_critic = loss(self.critic(real), ones) + loss(self.critic(fake.detach()), zeros)
        return of_critic, loss(self.critic(fake), ones)

    def training_step(self, batch: Batch, optimizers: dict[str, torch.optim.Optimizer]) -> dict[str, Any]:
        """Both steps."""
        of_critic, _ = self.losses(batch)
        optimizers["critic"].zero_grad()
        of_critic.backward()
        optimizers["critic"].step()
        _, of_generator = self.losses(batch)
        optimizers["generator"].zero_grad()
        of_generator.backward()
        optimizers["generator"].step()
        return {"critic_loss": of_critic, "generator_loss": of_generator.item()}

    def validation_step(self, batch: Batch) -> dict[str, Any]:
        """Distance of the means of real and false samples."""
        fake = self.generator(torch.randn(len(batch[0]), self.latent, device=batch[0].device))
        distance = (fake.mean(0) - batch[0].flatten(1).mean(0)).norm()
        return {"loss": distance, "samples": f"distance\n{float(distance):.1f}"}
