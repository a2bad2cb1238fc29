import numpy as np

from napari_piclick.train.log_uniform import log_uniform


def test_halves_and_doubles_equally_often():
    rng = np.random.default_rng(0)
    drawn = np.array([log_uniform(2, 32, rng) for _ in range(4000)])
    assert 2 <= drawn.min() < 2.05
    assert 31 < drawn.max() <= 32
    # the middle is 8, not 17, as between the logarithms
    np.testing.assert_allclose(np.median(drawn), 8, rtol=0.08)
