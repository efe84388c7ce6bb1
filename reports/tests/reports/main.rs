//! Every renderer against one small run that holds everything a report can say.

mod badge;
mod calls;
mod ctrf;
mod fixture;
mod flows;
mod html;
mod json;
mod junit;
mod markdown;
mod terminal;
