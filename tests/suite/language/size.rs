//! Odd but legal definitions: large, deep, long. They have to come to their end, and time may grow with size only as it must.
