"""Pictures that stand for a model's output: real files, different for every prompt, seed and proportion.

Nothing here talks to a network or keeps state, and the same ``DrawingSpec`` always gives the same bytes, so that a
picture can be thrown away and drawn again. ``scene`` decides what is to be seen, ``paint`` puts it on a canvas,
``portrait`` sets a reference picture into it, ``film`` moves it.
"""

from sandbox.drawing.render import DrawingSpec, render

__all__ = ["DrawingSpec", "render"]
