//! Every renderer against one small run that holds everything a report can say.

mod fixture;
mod json;
mod junit;
mod terminal;
