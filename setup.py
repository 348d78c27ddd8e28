"""Packaging of tf_latentflow."""

from pathlib import Path

from setuptools import find_packages, setup

_README = Path(__file__).with_name("README.md")
_FIGURES = ["matplotlib>=3.9,<4"]
_MUSIC = ["music21>=9.3,<11", "mido>=1.3,<2", "scipy>=1.13,<2", *_FIGURES]
_PAGE = ["selenium>=4.25,<5"]
_SERVING = [
    "tensorflow-serving-api>=2.21,<2.22",
    "grpcio>=1.81,<2",  # 1.80 ends a call with a malformed tensor without a reason.
    "grpcio-health-checking>=1.81,<2",
    "prometheus-client>=0.22,<1",
    "starlette>=0.49,<2",
    "uvicorn>=0.38,<1",
]
_PACKAGES = ("bijectors", "export", "tf_latentflow", "train")

setup(
    name="tf-latentflow",
    version="0.1.0",
    description="Latent normalizing flows for discrete sequences, in TensorFlow and TFP",
    long_description=_README.read_text(encoding="utf-8") if _README.exists() else "",
    long_description_content_type="text/markdown",
    license="MIT",
    author="the tf_latentflow authors",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=[f"{name}*" for name in _PACKAGES]),
    # The models by name: `tf_latentflow/pretrained/models/NAME/`.
    package_data={
        "bijectors": ["py.typed"],
        "tf_latentflow": ["py.typed"],
        "tf_latentflow.pretrained": ["models/*/*", "models/*/samples/*"],
        "export.page": ["*.html", "*.css", "*.js", "*/*.js"],
    },
    install_requires=[
        "tensorflow>=2.21,<2.22",
        # The extra brings tf_keras, without which it does not import.
        "tensorflow-probability[tf]>=0.25,<0.26",
        "keras>=3.12,<4",
        "numpy>=1.26,<3",
        "tensorboard>=2.20,<3",
        "tyro>=1.0,<2",
        "typeguard>=4.4,<5",
        "filelock>=3.16,<4",
        "lazy_loader>=0.4,<1",
        "rich>=13.7,<16",
    ],
    extras_require={
        "docs": [
            "sphinx>=8.2,<10",
            "myst-nb>=1.3,<2",
            "furo>=2025.7.19,<2028",
            "sphinx-copybutton>=0.5,<1",
        ],
        "figures": _FIGURES,
        "music": _MUSIC,
        "notebooks": ["nbclient>=0.10,<1", "ipykernel>=6.29,<8"],
        "serving": _SERVING,
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.5",
            "ruff>=0.12",
            "import-linter>=2.10,<3",
            "mypy>=1.18,<3",
            "pyyaml>=6",
            *_MUSIC,
            *_PAGE,
            *_SERVING,
        ],
    },
)
