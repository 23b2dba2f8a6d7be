"""A plain PyTorch loop that `tui` follows: the lines with ``run`` are all that was added to it.

python examples/plain_loop.py          # and meanwhile, in another terminal: tui watch
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

from core import RunWriter

EPOCHS, BATCH, LR = 5, 64, 0.1

torch.manual_seed(0)
digits = load_digits()
inputs = torch.tensor(digits.data / 16, dtype=torch.float32)
targets = torch.tensor(digits.target)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
cross_entropy = nn.CrossEntropyLoss()

config = {"dataset": "digits", "model": "64-32-10", "optimizer": "sgd", "lr": LR, "batch_size": BATCH}
with RunWriter("plain-loop", config, epochs=EPOCHS, classes=[str(digit) for digit in range(10)]) as run:
    for _epoch in range(EPOCHS):
        for batch in torch.randperm(1500).split(BATCH):
            scores = model(inputs[batch])
            loss = cross_entropy(scores, targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            accuracy = (scores.argmax(1) == targets[batch]).float().mean()
            run.log(loss=loss, accuracy=accuracy)
        with torch.no_grad():
            scores = model(inputs[1500:])
        accuracy = (scores.argmax(1) == targets[1500:]).float().mean()
        run.epoch(validation={"loss": cross_entropy(scores, targets[1500:]), "accuracy": accuracy})
        run.checkpoint(model.state_dict())
        if run.stop_requested:  # `tui stop`, or s in the app
            break
    run.predictions("validation", scores.softmax(1), targets[1500:])
print(f"accuracy {accuracy:.4f}; the run is {run.run.path}")
