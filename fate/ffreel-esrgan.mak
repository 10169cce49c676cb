# esrgan: whole-binary tests against text references
