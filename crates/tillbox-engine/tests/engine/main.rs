//! What the engine promises, over a store in memory that fails as it is told.

#[cfg(test)]
mod batching;
#[cfg(test)]
mod client;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod fairness;
mod faulty;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod one_by_one;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod sweeps;
#[cfg(test)]
mod time;
#[cfg(test)]
mod ways_out;
