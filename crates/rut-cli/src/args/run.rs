//! The commands that run: one for each adaptation, with the fields that it has a use for.

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use rut_record::{Field, Method, Settings, LOCATION_FIELDS};
use rut_run::{all_fields, fields_of};

use super::fields::{flag_settings, with_fields};
use super::RunFlags;

/// `rut lp`, `rut vp`.
#[derive(Clone, Debug)]
pub struct RunCommand {
    /// What is adapted, and how.
    pub method: Method,
    /// What is run, and where.
    pub fields: Settings,
    /// How it is run.
    pub flags: RunFlags,
}

/// The fields of `method`, and those of others: of no use here, and refused as such where they are set.
fn fields(method: Method) -> (Vec<Field>, Vec<Field>) {
    let own = [fields_of(method), LOCATION_FIELDS.to_vec()].concat();
    let mut others = all_fields();
    others.retain(|other| !own.iter().any(|field| field.key == other.key));
    (own, others)
}

impl Subcommand for RunCommand {
    fn augment_subcommands(command: Command) -> Command {
        Method::ALL.into_iter().fold(command, |command, method| {
            let (own, others) = fields(method);
            let run = with_fields(Command::new(method.name()), &own, &others);
            command.subcommand(RunFlags::augment_args(run).about(method.about()))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Method::ALL.iter().any(|method| method.name() == name)
    }
}

impl FromArgMatches for RunCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, matches) = matches.subcommand().unwrap_or(("", matches));
        let named = Method::ALL.into_iter().find(|method| method.name() == name);
        let method = named.ok_or_else(|| {
            clap::Error::raw(clap::error::ErrorKind::InvalidSubcommand, "no such command")
        })?;
        let (own, others) = fields(method);
        Ok(Self {
            method,
            fields: flag_settings(&[own, others].concat(), matches),
            flags: RunFlags::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
