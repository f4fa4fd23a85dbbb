//! What the engine promises, by hand and by simulation, over a store in memory that fails as it is told.

#[cfg(test)]
mod client;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod model;
#[cfg(test)]
mod script;
#[cfg(test)]
mod simulation;
