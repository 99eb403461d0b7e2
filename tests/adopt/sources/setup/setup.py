"""An old one."""

import os
from setuptools import find_packages, setup

REQUIRED = ["numpy>=1.20", "scipy"]
EXTRA = [
    "matplotlib",
]

if os.environ.get("NO"):
    REQUIRED.append("never")

setup(
    name="old",
    packages=find_packages(),
    python_requires=">=3.7",
    install_requires=REQUIRED
    + [
        "pandas<2",
        open("VERSION").read(),
    ],
    extras_require={
        "plot": EXTRA,
        ":sys_platform == 'win32'": ["pywin32"],
        "all": sum([], []),
    },
    setup_requires=["wheel"],
    tests_require="""
        pytest
        hypothesis>=6
    """,
)
