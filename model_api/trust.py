"""What an operator lets a model's files hold. The artifact's own word about it is never believed."""

from collections.abc import Mapping
from dataclasses import dataclass

_ARRAYS = "arrays and numbers; where they number other things, runtimes/sound.py checks that these exist"
_FOR_FITTING = "used when an estimator is fitted, never when it predicts"
_FORMULA = "a formula; holds numbers at most"
_PLAIN = "an ordinary Python object of scikit-learn's; setting its attributes runs no code"
_FOREST = "sklearn.ensemble._hist_gradient_boosting"
_SELECTION = "sklearn.feature_selection._univariate_selection"
_METRICS = "sklearn.metrics"
_ROUTING = "sklearn.utils._metadata_requests"

_DISTANCES = ("Canberra", "Chebyshev", "Euclidean", "Hamming", "Manhattan", "Minkowski")
_KERNELS = (
    *("ConstantKernel", "DotProduct", "ExpSineSquared", "Matern", "Product", "RBF", "RationalQuadratic"),
    *("Sum", "WhiteKernel"),
)
REVIEWED_TYPES: Mapping[str, str] = {
    "functools.partial": "calls the function that it holds, which has to be on this list itself",
    "numpy.dtype": "names an element type; holds no code",
    "sklearn._loss.link.Interval": _FORMULA,
    "sklearn._loss.link.LogitLink": _FORMULA,
    "sklearn._loss.loss.HalfBinomialLoss": _FORMULA,
    "sklearn._loss.loss.HalfTweedieLoss": _FORMULA,
    "sklearn._loss.loss.HalfTweedieLossIdentity": _FORMULA,
    "sklearn.calibration._CalibratedClassifier": _PLAIN,
    "sklearn.calibration._SigmoidCalibration": _FORMULA,
    "sklearn.calibration._TemperatureScaling": _FORMULA,
    f"{_FOREST}.predictor.TreePredictor": _ARRAYS,
    **{f"sklearn.gaussian_process.kernels.{name}": _FORMULA for name in _KERNELS},
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace": _PLAIN,
    "sklearn.multiclass._ConstantPredictor": _PLAIN,
    "numpy.mean": _FOR_FITTING,
    "scipy._lib.array_api_compat.numpy._aliases.asarray": "gives an array back; calls nothing of the file's",
    "scipy.interpolate._bsplines.BSpline": "knots and coefficients, which are looked at before they are used",
    f"{_SELECTION}.chi2": _FOR_FITTING,
    f"{_SELECTION}.f_classif": _FOR_FITTING,
    f"{_SELECTION}.f_regression": _FOR_FITTING,
    "sklearn.feature_selection._mutual_info.mutual_info_classif": _FOR_FITTING,
    "sklearn.feature_selection._mutual_info.mutual_info_regression": _FOR_FITTING,
    f"{_METRICS}._classification.accuracy_score": _FOR_FITTING,
    f"{_METRICS}._classification.balanced_accuracy_score": _FOR_FITTING,
    f"{_METRICS}._classification.f1_score": _FOR_FITTING,
    **{f"{_METRICS}._dist_metrics.{name}Distance64": _FORMULA for name in _DISTANCES},
    f"{_METRICS}._scorer._CurveScorer": _FOR_FITTING,
    f"{_METRICS}._scorer._PassthroughScorer": _FOR_FITTING,
    f"{_METRICS}._scorer._Scorer": _FOR_FITTING,
    "sklearn.model_selection._split.KFold": _FOR_FITTING,
    "sklearn.model_selection._split.StratifiedKFold": _FOR_FITTING,
    "sklearn.neighbors._ball_tree.BallTree": _ARRAYS,
    "sklearn.neighbors._kd_tree.KDTree": _ARRAYS,
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer": _FOR_FITTING,
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer": _FOR_FITTING,
    "sklearn.tree._tree.Tree": _ARRAYS,
    "sklearn.utils._bunch.Bunch": "a dictionary with another look",
    f"{_ROUTING}.MetadataRequest": _PLAIN,
    f"{_ROUTING}.MethodMetadataRequest": _PLAIN,
    "sklearn.utils.validation.check_array": "looks at an array and gives it back; calls nothing of the file's",
}
"""What ordinary scikit-learn pipelines hold beyond skops' own list, each with the reason why it is let in."""


@dataclass(frozen=True)
class Trust:
    """The operator's own list, beside the reviewed types."""

    types: tuple[str, ...] = ()
    """Further types that a skops file may hold."""
    pickle: bool = False
    """Whether an artifact that was published with `--trust-pickle` may be loaded: it can run any code."""
    packages: tuple[str, ...] = ("*",)
    """Installed model packages whose code may run; `*` is every one."""

    @property
    def all_types(self) -> list[str]:
        """Every type that may be loaded."""
        return [*REVIEWED_TYPES, *self.types]
