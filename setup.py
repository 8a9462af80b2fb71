"""What pyproject.toml cannot say: in an installed package, the browser's files lie inside the app, as `app/assets`."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["app", "app.*", "nas_core", "nas_core.*"]), "app.assets"],
    package_dir={"app.assets": "assets"},
    package_data={"app.assets": ["*", "**/*"]},
)
