//! Every renderer against one small run that holds everything a report can say.

mod calls;
mod fixture;
mod flows;
mod json;
mod junit;
mod terminal;
