"""How the weights `starter` are made: a slim VGG, taught to answer pictures as a pretrained network does.

`make starter TEACHER=FILE ARGS="--pictures FOLDER"` trains it and writes `starter.safetensors`; `docs/starter.md` says
with which pictures, and what came of it. Nothing else in the project needs this package.
"""
