//! `domicile.yaml`: the raw shape people write, checked into the shape the node runs on.
