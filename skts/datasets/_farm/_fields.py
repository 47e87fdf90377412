"""Random fields that are smooth in space and time: sums of waves."""

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.signal import lfilter

KM_PER_DEGREE = 111.2  # along a meridian


class Waves(NamedTuple):
    """Plane waves whose sum is a random field.

    Parameters
    ----------
    numbers : ndarray of shape (n_waves, 2)
        Wave numbers towards the east and the north (radians per km).
    amplitudes : ndarray of shape (n_waves,)
    """

    numbers: NDArray[np.float64]
    amplitudes: NDArray[np.float64]

    def at(self, places: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Give every wave at places (n_places, 2), in km: (n_waves, n_places). The real part of a sum is the field."""
        waves = self.amplitudes[:, None] * np.exp(1j * self.numbers @ places.T)
        return waves.astype(np.complex64)

    def flow_at(self, places: NDArray[np.float64]) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
        """Give the flow along the lines of equal value: its eastward and its northward part, each as `at`."""
        waves = self.at(places)
        east, north = (1j * self.numbers.T[:, :, None] * waves).astype(np.complex64)
        return -north, east


def draw_waves(rng: RandomState, n_waves: int, shortest: float, longest: float, *, of_flow: bool = False) -> Waves:
    """Draw waves of all directions whose field has a standard deviation of 1.

    Parameters
    ----------
    rng : RandomState
    n_waves : int
    shortest, longest : float
        Wavelengths in km. Longer ones are stronger.
    of_flow : bool, default=False
        Whether it is the flow whose parts have a standard deviation of 1, rather than the field.
    """
    lengths = np.exp(np.linspace(np.log(shortest), np.log(longest), n_waves))
    angles = rng.permutation(n_waves) * np.pi / n_waves + rng.uniform(0, 2 * np.pi)
    numbers = 2 * np.pi / lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    strength = np.sqrt(lengths)
    strength /= np.sqrt((strength**2).sum())
    if of_flow:  # its two parts share the variance
        strength *= np.sqrt(2) * lengths / (2 * np.pi)
    return Waves(numbers, strength)


def smooth_noise(rng: RandomState, shape: tuple[int, ...], memory: float) -> NDArray[np.float64]:
    """Draw a stationary normal process of variance 1 along the first axis, independent along the others.

    Its correlation at lag h is about ``(1 + h / memory) * exp(-h / memory)``: an autoregression with a double root.

    Parameters
    ----------
    rng : RandomState
    shape : tuple of int
    memory : float
        In steps.
    """
    root = np.exp(-1 / memory)
    warm = int(10 * memory) + 1
    shocks = rng.standard_normal((shape[0] + warm, *shape[1:]))
    deviation = np.sqrt((1 + root**2) / (1 - root**2) ** 3)
    return lfilter([1 / deviation], [1, -2 * root, root**2], shocks, axis=0)[warm:]


def complex_noise(rng: RandomState, shape: tuple[int, ...], memory: float) -> NDArray[np.complex64]:
    """Draw coefficients of waves: two independent processes, as `smooth_noise`."""
    real, imaginary = smooth_noise(rng, (*shape, 2), memory).astype(np.float32).transpose(-1, *range(len(shape)))
    return real + np.complex64(1j) * imaginary


def places_in_km(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], center: tuple[float, float]
) -> NDArray[np.float64]:
    """Map degrees to a plane around the center: eastward and northward km, (n_places, 2)."""
    east = (longitude - center[1]) * KM_PER_DEGREE * np.cos(np.deg2rad(center[0]))
    return np.stack([east, (latitude - center[0]) * KM_PER_DEGREE], axis=1)
