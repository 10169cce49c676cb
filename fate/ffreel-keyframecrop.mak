# keyframecrop: whole-binary tests against text references
