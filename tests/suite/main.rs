//! Behavior over real HTTP, real databases and real processes. Folders mirror the rooms of the house.

mod documentation;
