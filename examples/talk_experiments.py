"""The experiments of the talk "Painting, Keras Style", as data: the command of each, and what came of it."""

from __future__ import annotations

from typing import NamedTuple


class Experiment(NamedTuple):
    """One of the talk's: `asked` is its question, `seen` what came of it."""

    name: str
    title: str
    asked: str
    command: str
    """What follows `impasto`; it is run where the drawn pictures are, and paints in a folder of its name."""
    pictures: tuple[str, ...]
    """Files of that folder which are shown."""
    seen: str


EXPERIMENTS = (
    Experiment(
        "styles", "One view, many styles", "What is content and what is style? The same harbour, five ways.",
        "study harbour.png glass.png ink.png night.png poster.png hatching.png --vary style --size 256", ("sheet.png",),
        "The boat, the houses and the lighthouse are in all five; all else is the style's. Its own picture "
        "stands beside each label.",
    ),
    Experiment(
        "bold", "Big bold colours", "Large fields of one colour are the easiest style to see.",
        "paint pears.png glass.png --size 384", ("final.png",),
        "Each pane is one colour, and the leads go where the pears have edges.",
    ),
    Experiment(
        "white", "How much white", "White paper is a feature too, and a strong one. How does less of it look?",
        "study harbour.png ink.png --vary white --size 256", ("sheet.png",),
        "Brought halfway to grey the paper holds a harbour at dusk; wholly dark it is a drawing in silver. "
        "With the white left out of the style's statistics there is nothing but ink left to paint with, and "
        "it fills the sheet. (A margin would be trimmed in one more; this drawing has none.)",
    ),
    Experiment(
        "swap", "Both ways round", "Which of the two pictures is the content, and which is the style?",
        "study harbour.png strokes.png --vary swap --size 256", ("sheet.png",),
        "As content the strokes keep their eddies and get the colours of dusk, and pieces of lighthouse and "
        "houses for texture.",
    ),
    Experiment(
        "strength", "Alpha against beta", "The loss is a sum of two. Their shares say what the picture is.",
        "study harbour.png strokes.png --vary strength --size 256", ("sheet.png",),
        "At a hundredth the harbour has the style's colours and a grain, at its usual weight its strokes. "
        "With ten times that the houses dissolve; a hundred times is hardly more than ten.",
    ),
    Experiment(
        "start", "Where it begins", "The paper begins with white noise, the talk with noise over the photograph.",
        "study harbour.png strokes.png --vary start --recipe classic --iterations 300 --size 192", ("sheet.png",),
        "From the photograph, or from noise over it, the harbour comes back; at nine tenths of noise only its "
        "boat. From noise alone 300 iterations bring the style and nothing of the content, another time for "
        "each seed. From the style's own picture there is next to no loss, and so nothing to paint: the "
        "talk's balance hears the content only where the style has nothing left to say.",
    ),
    Experiment(
        "layers", "The layers of the style", "Each layer sees larger patterns. What does each bring?",
        "study harbour.png strokes.png --vary layers --size 192", ("sheet.png",),
        "The first layer brings colour, the second dashes, the third strokes, the fourth whole eddies. The "
        "fifth alone changes next to nothing: this balance gives it a small share.",
    ),
    Experiment(
        "depth", "The depth of the content", "The deeper the layer, the freer the painter.",
        "study harbour.png strokes.png --vary depth --size 256", ("sheet.png",),
        "Held by relu2_2 or relu3_2 every window stays where it was, and by relu4_2 the houses lean with the "
        "strokes; by relu5_2 only their place is left. relu1_2 differs so little between two pictures that it "
        "holds less than the next ones.",
    ),
    Experiment(
        "optimiser", "The optimiser", "Adam's step is in levels of colour, so it can be too short and too long.",
        "study harbour.png strokes.png --vary optimiser --recipe classic --iterations 200 --size 192",
        ("sheet.png", "losses.png"),
        "The longer Adam's step, the lower the loss after 200 of them, and L-BFGS comes lowest of all. The "
        "lowest loss is not the best picture: the talk's balance weighs the style so much that the harbour is "
        "then gone.",
    ),
    Experiment(
        "spikes", "The loss and its spikes", "Now and then the loss leaps up in the middle of a run. When?",
        "study pears.png strokes.png --vary optimiser --recipe classic --iterations 1500 --size 128", ("losses.png",),
        "When Adam's step is long. With 20 levels the loss leaps up from iteration 439 on, to nearly seven times "
        "what it was, and comes down each time; for where the gradients have become small, Adam still goes as "
        "far. With shorter steps, and with L-BFGS, nothing of the kind came in 1,500 iterations.",
    ),
    Experiment(
        "flicker", "Flicker", "Is the same picture painted twice?",
        "study pears.png strokes.png --vary flicker --size 160", ("sheet.png",),
        "On a processor the same seed gives the same picture to the last bit. Other seeds, which change the "
        "noise in the start, move every stroke: by 33 levels on average. Painted one after the other they "
        "flicker.",
    ),
    Experiment(
        "size", "Time against pixels", "How long does a larger picture take?",
        "study harbour.png strokes.png --vary size --recipe classic --size 384 --iterations 60", ("time.png",),
        "A picture of twice the pixels takes less than twice as long, for a part of each iteration does not "
        "depend on them. (Measured beside other work.)",
    ),
    Experiment(
        "cup", "As it grows", "The talk's cup of coffee is seen after 100 iterations and on to 30,000; here are pears.",
        "study pears.png strokes.png --vary iterations --recipe classic --iterations 3300 "
        "--snapshots 30,100,300,1000,3300 --size 128", ("sheet.png", "losses.png"),
        "After 100 iterations they are painted pears, after 300 the best ones. From then on the loss goes on "
        "falling and the pears go: what is left after 3,300 is nearly the style's own picture. The loss "
        "begins at 5e11 and has fallen to a tenth at 27 and to a hundredth at 135, much as in the talk; "
        "its spikes need longer steps, as above.",
    ),
    Experiment(
        "long", "Much too long", "The talk's longest runs, of 23,500 and 99,900 iterations, end in grey goo.",
        "study pears.png strokes.png --vary iterations --recipe classic --iterations 99900 "
        "--snapshots 100,300,3300,6500,23500,30000,99900 --size 128 --weights starter", ("sheet.png", "losses.png"),
        "After 300 iterations they are pears, after 3,300 one can guess them, after 6,500 it is the style's "
        "own picture, and so it stays. From some 5,000 on the loss hardly falls, its lines fray, and "
        "relu1_1's rises again: what the other layers win, the finest one pays. After 23,500 a screen of "
        "single pixels lies over all, and after 99,900 there is more screen than paint. It is goo, but not grey.",
    ),
)  # fmt: skip

SLIDES = (
    ("The same view in many styles", "styles"),
    ("Big bold colours", "bold"),
    ("How much white", "white"),
    ("The two pictures swapped", "swap"),
    ("A photograph onto a painting", "start"),
    ("Alpha against beta", "strength"),
    ("Different starts", "start"),
    ("Different noise", "start"),
    ("An optimiser that flickers", "flicker"),
    ("The loss over time", "cup"),
    ("Its spikes", "spikes"),
    ("23,500 and 99,900 iterations, and grey goo", "long"),
    ("Time against pixels", "size"),
    ("A cup of coffee after 100, 300, 3300, 6500 and 30,000 iterations", "long"),
    ("Beside the talk: the layers of the style", "layers"),
    ("Beside the talk: the depth of the content", "depth"),
    ("Beside the talk: the optimiser", "optimiser"),
)
"""What the talk shows, in its order, and the experiment that shows it here."""
