"""Models that a machine brings by itself: the embedded ones, and installed model packages."""

import sys
from collections.abc import Sequence
from pathlib import Path

from model_api.artifact import CHAMPION, Artifact
from model_api.errors import ArtifactError
from model_api.examples import absent, publish_examples
from model_api.folders import move_alias, read_aliases, versions_of
from model_api.packages import EVERY, ModelPackage, installed_packages, written


def main(models: Path) -> int:
    """Publish into a folder what the operator's settings allow; gives the exit code."""
    from model_api.settings import WrongSetting, read_settings

    try:
        publish(models, read_settings().packages)
    except WrongSetting as error:
        print(error)
        return 2
    return 0


def publish(models: Path, allowed: Sequence[str] = (EVERY,)) -> None:
    """Publish what is installed and not in the folder yet, saying so line by line; of packages, those `allowed`.

    A package that was upgraded becomes the champion at once: the code of the one before is not there any more.
    """
    if names := absent(models):
        print(f"publishing the embedded models into {models}/: {', '.join(names)}", flush=True)
        publish_examples(models, names)
    for package in installed_packages(allowed):
        if not _is_served(models / package.name, package):
            _publish(models, package)


def _publish(models: Path, package: ModelPackage) -> None:
    from model_api.publishing.from_package import publish_package

    print(f"publishing the model package {package.distribution} {package.version} as {package.name}", flush=True)
    try:
        folder = publish_package(package, models)
    except Exception as error:  # noqa: BLE001 -- one package must not keep the others from being served
        print(f"{package.name} is not published: {error}", flush=True)
        return
    if _is_of(models / package.name, read_aliases(models / package.name).get(CHAMPION), package.name):
        move_alias(models / package.name, CHAMPION, folder.name, by="package")


def _is_served(model: Path, package: ModelPackage) -> bool:
    """Tell whether some version was published from this very package."""
    return model.is_dir() and any(_package_of(model / version) == written(package) for version in versions_of(model))


def _is_of(model: Path, version: str | None, name: str) -> bool:
    """Tell whether a version was published from a package of that name, whichever version of it."""
    told = _package_of(model / version) if version else None
    return isinstance(told, dict) and told.get("name") == name


def _package_of(version: Path) -> object:
    try:
        return Artifact(version).manifest.estimator.get("package")
    except ArtifactError:
        return None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
