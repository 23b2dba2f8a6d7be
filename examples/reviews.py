"""Texts for `tui`: made-up reviews. Writes reviews.csv with a price beside each text, and a folder of text files.

python examples/reviews.py
tui train --data reviews.csv --set data.text='[review]' --model text_bag --epochs 20 --lr 1
tui train --data reviews/ --model gru --epochs 10 --lr 0.5
"""

import csv
import random
from pathlib import Path

GOOD = ["delicious", "friendly", "lovely", "perfect", "superb"]
BAD = ["bland", "cold", "rude", "slow", "stale"]
OTHER = ["food", "service", "soup", "waiter", "place", "dinner", "bread", "table", "coffee", "dessert"]


def review(good: bool, chance: random.Random) -> str:
    """Return a text of some sentences, most of them about what was good, or was not."""
    sentences = []
    for _ in range(chance.randint(2, 5)):
        words = GOOD if good == (chance.random() < 0.85) else BAD
        sentences.append(
            f"The {chance.choice(OTHER)} was {chance.choice(['very', 'rather', 'so'])} {chance.choice(words)}."
        )
    return " ".join(sentences)


def write(folder: Path = Path(), samples: int = 600) -> Path:
    """Write reviews.csv and reviews/good/, reviews/bad/; return the table."""
    chance = random.Random(0)
    file = folder / "reviews.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        table = csv.writer(opened)
        table.writerow(["review", "price", "label"])
        for number in range(samples):
            good = number % 2 == 0
            label, text = ("good" if good else "bad"), review(good, chance)
            table.writerow([text, round(chance.gauss(30 if good else 20, 8), 2), label])
            one = folder / "reviews" / label / f"{number:03}.txt"
            one.parent.mkdir(parents=True, exist_ok=True)
            one.write_text(text, encoding="utf-8")
    return file


if __name__ == "__main__":
    write()
