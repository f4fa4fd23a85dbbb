//! What the engine promises, by hand and by simulation, over a store in memory that fails as it is told.

#[cfg(test)]
mod batching;
#[cfg(test)]
mod client;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod model;
#[cfg(test)]
mod one_by_one;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod script;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod time;
