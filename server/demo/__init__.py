"""The main job without a camera: `aircounter demo-call` plays two sound files through the whole product."""
