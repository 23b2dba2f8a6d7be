"""A script that logs what it makes: images, a text and histograms, step by step.

python examples/looks.py
tui watch latest            # press i
"""

import torch

from torchtui import RunWriter

SIZE, STEPS = 32, 40


def main() -> None:
    """Fit a picture of a ring by gradient descent, and show how it comes out of noise."""
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIZE), torch.linspace(-1, 1, SIZE), indexing="ij")
    ring = torch.exp(-20 * ((x**2 + y**2).sqrt() - 0.6) ** 2)
    made = torch.rand(SIZE, SIZE, requires_grad=True)
    optimizer = torch.optim.Adam([made], lr=0.05)
    with RunWriter("looks", config={"lr": 0.05}) as run:
        for step in range(1, STEPS + 1):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(made, ring)
            loss.backward()
            optimizer.step()
            run.log(loss=loss)
            if step % 4 == 0:
                run.image("made", made.detach().clamp(0, 1), caption=f"loss {loss.item():.4f}")
                run.histogram("pixels", made)
                run.text("in words", f"After {step} steps the error is {loss.item():.4f}.")
    print(run.run.path)


if __name__ == "__main__":
    main()
