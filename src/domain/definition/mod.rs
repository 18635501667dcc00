//! Workflow definitions in the Serverless Workflow DSL 1.0.3: the model, how it is read from YAML or JSON, and what makes
//! one valid. Every problem of a definition is reported at once, with line, column, pointer and a suggestion.

pub mod duration;
pub mod model;

pub use model::Definition;
