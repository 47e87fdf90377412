"""The contract between a network and everything else."""

from collections.abc import Sequence

from torch import Tensor, nn

State = tuple[Tensor, ...]


class Forecaster(nn.Module):
    """A network that forecasts the horizon after a window: the contract, to be subclassed or kept by any module.

    Shapes: B windows of a batch, W rows of window, H rows of horizon, L rows of any length, F features, K known
    features, D static columns, A rows of lookahead, T targets, U hidden units; `...` are the dimensions that the head
    adds (none for a point, one for quantiles).

    **Construction.** The class is called with keyword arguments: of `n_features`, `n_known`, `n_static`, `n_targets`,
    `n_series`, `window` (None for whole series), `horizon` and `head` those that its signature names, and the user's
    parameters. The last layer comes from the head: ``head.make_layer(n_inputs, n_outputs)`` maps `(..., n_inputs)` to
    `(..., n_outputs, ...)`. A network that does not take the head forecasts points.

    **Declarations**, attributes of the class or of the instance:

    - `lookahead` (0): rows after the horizon whose known columns it reads.
    - `reads_series` (False): whether it is given the number of each window's series.
    - `reads_missing` (()): groups of columns, by position in `past`, of which it is told where all are missing. In such
      a row they stay NaN, in `past` and, of those that are known, in `known`; every other hole is filled.
    - `reads_static` (False): whether it is given what describes that series, the columns `SlidingWindower(static=...)`
      names. Where these are there, a network that does not read them is refused.
    - `causal` (False): whether what it makes of a row depends on that row and those before it alone. Then it has
      `encode` and `decode`, one pass over the rows can serve many origins, and forecasts can go on from a state.
    - `whole_window` (""): where it is not causal, the parameter that makes it so, for messages: ``"patch_len=24"``.

    **Forward** takes `past` (B, W, F), without a NaN but for `reads_missing`, and where there are such `known`
    (B, H + A, K), the known columns from the origin on, and `series` (B,), numbers from 0, -1 for an unknown one. One
    that declares so is given `static` (B, D) too, for an unknown series as well, 0 where a value is missing. It gives
    the forecast (B, H, T, ...) of targets that are standardised, and a state. A causal network takes the state of the
    rows before, too; it is a tuple of tensors with the batch in their second dimension, as torch's recurrent layers
    have it. The module keeps nothing of it: many threads forecast with one module.
    """

    lookahead: int = 0
    reads_series: bool = False
    reads_missing: Sequence[Sequence[int]] = ()
    reads_static: bool = False
    causal: bool = False
    whole_window: str = ""

    def forward(
        self,
        past: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        state: State | None = None,
        static: Tensor | None = None,
    ) -> tuple[Tensor, State | None]:
        """Forecast the horizon after each window.

        Parameters
        ----------
        past : Tensor of shape (B, W, F)
        known : Tensor of shape (B, H + A, K), default=None
        series : Tensor of int of shape (B,), default=None
        state : tuple of Tensor, default=None
            Of the rows before `past`.
        static : Tensor of shape (B, D), default=None
            Only for a network that declares `reads_static`.

        Returns
        -------
        forecast : Tensor of shape (B, H, T, ...)
        state : tuple of Tensor or None
            After the last row.
        """
        about = {} if static is None else {"static": static}
        encoded, state = self.encode(past, series, state, **about)
        return self.decode(encoded[:, -1], known, series, **about), state

    def encode(
        self, past: Tensor, series: Tensor | None = None, state: State | None = None, static: Tensor | None = None
    ) -> tuple[Tensor, State | None]:
        """Encode rows (B, L, F), going on from a state: (B, L, U), one vector for each row, and the state after it."""
        raise NotImplementedError(f"{type(self).__name__} has neither `forward` nor `encode` and `decode`.")

    def decode(
        self,
        encoded: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        static: Tensor | None = None,
    ) -> Tensor:
        """Forecast from encoded origins (B, U) and what is known from there on (B, H + A, K): (B, H, T, ...)."""
        raise NotImplementedError(f"{type(self).__name__} has neither `forward` nor `encode` and `decode`.")
