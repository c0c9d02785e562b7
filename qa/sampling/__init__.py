"""Which calls are inspected, and by whom: sample plans, draws that can be repeated, fair distribution.

Publishes: `SampleDrawn`. Listens to: nothing (a clock draws). Writes: SamplePlan, SampleDraw, InspectionTask,
InspectorConflict.
"""
