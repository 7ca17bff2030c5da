"""How the weights `starter` are made: VGG19's architecture, trained without labels on pictures we may use.

`python -m training --minutes 60` (or `make starter`) draws its pictures, trains, and writes `starter.safetensors`;
`docs/starter.md` says what came of it. Nothing else in the project needs this package.
"""
