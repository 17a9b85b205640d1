//! What somebody may do in an organization.

use async_graphql::Enum;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, Result};

/// What a caller may do in an organization. Members have those of their role, API keys those they were made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Right {
    /// See cars, photos, prices and advertisements.
    Read,
    /// Change cars, photos, prices and drafts of advertisements.
    Stock,
    /// What leaves the house: publishing, feeds, pages, sales.
    Publish,
    /// Plans, payments and invoices.
    Money,
    /// Members and their invitations.
    Members,
    /// The organization itself, its sites, API keys, webhooks and accesses to other services.
    Settings,
    /// What only an owner decides: erasing everything, who else is an owner.
    Own,
}

impl Right {
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Stock, Self::Publish, Self::Money, Self::Members, Self::Settings, Self::Own];

    /// As the schema writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Stock => "STOCK",
            Self::Publish => "PUBLISH",
            Self::Money => "MONEY",
            Self::Members => "MEMBERS",
            Self::Settings => "SETTINGS",
            Self::Own => "OWN",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.name() == name)
    }
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u8);

impl Rights {
    pub const NONE: Self = Self(0);
    /// Beside the rights: why others are missing.
    const ON_HOLD: u8 = 1 << 7;

    pub const fn of(rights: &[Right]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < rights.len() {
            set |= 1 << rights[at] as u8;
            at += 1;
        }
        Self(set)
    }

    /// Those that are in both.
    pub const fn within(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// What is left to an organization that is on hold: it sees what is its own, and its owners take it along or have it
    /// erased (GDPR, articles 15, 17 and 20).
    pub const fn suspended(self) -> Self {
        Self(self.within(Self::of(&[Right::Read, Right::Own])).0 | Self::ON_HOLD)
    }

    pub fn contains(self, right: Right) -> bool {
        self.0 & (1 << right as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.contains(*right))
    }
}

/// What a member is in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// May do everything.
    Owner,
    /// Everything but what only an owner decides.
    Manager,
    /// Cars, photos, advertisements and their publication.
    Seller,
    /// Sees everything, and handles plans, payments and invoices.
    Accountant,
    /// Sees everything and changes nothing.
    ReadOnly,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Manager, Self::Seller, Self::Accountant, Self::ReadOnly];

    pub const fn rights(self) -> Rights {
        use Right::{Members, Money, Publish, Read, Settings, Stock};
        match self {
            Self::Owner => Rights::of(&Right::ALL),
            Self::Manager => Rights::of(&[Read, Stock, Publish, Money, Members, Settings]),
            Self::Seller => Rights::of(&[Read, Stock, Publish]),
            Self::Accountant => Rights::of(&[Read, Money]),
            Self::ReadOnly => Rights::of(&[Read]),
        }
    }

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Seller => "seller",
            Self::Accountant => "accountant",
            Self::ReadOnly => "read_only",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

pub(crate) fn lacking(right: Right) -> Error {
    Error::new(
        ErrorCode::FORBIDDEN,
        format!(
            "Cette opération demande le droit {} : adressez-vous à un responsable de l'organisation.",
            right.name()
        ),
        format!("This operation needs the right {}: ask a manager of the organization.", right.name()),
    )
    .with_detail("right", right.name())
}

fn on_hold() -> Error {
    Error::new(
        ErrorCode::ORGANIZATION_SUSPENDED,
        "Votre organisation est suspendue : vous voyez et exportez vos données, sans rien modifier. Le motif est dans organization.suspension ; écrivez-nous pour le contester.",
        "Your organization is on hold: you see and export your data and change nothing. The reason is in organization.suspension; write to us to contest it.",
    )
}

impl Rights {
    /// # Errors
    /// `FORBIDDEN`, naming the right that is lacking; `ORGANIZATION_SUSPENDED` where that is why.
    pub fn require(self, right: Right) -> Result<()> {
        match self.contains(right) {
            true => Ok(()),
            false if self.0 & Self::ON_HOLD != 0 => Err(on_hold()),
            false => Err(lacking(right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let set = Rights::of(&[Right::Read, Right::Own]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Right::Read, Right::Own]);
        assert!(set.require(Right::Stock).is_err() && Rights::NONE.iter().next().is_none());
    }

    #[test]
    fn a_higher_role_may_do_what_a_lower_one_may() {
        let rights = |role: Role| role.rights();
        for (higher, lower) in [
            (Role::Owner, Role::Manager),
            (Role::Manager, Role::Seller),
            (Role::Manager, Role::Accountant),
            (Role::Seller, Role::ReadOnly),
            (Role::Accountant, Role::ReadOnly),
        ] {
            assert!(rights(lower).iter().all(|right| rights(higher).contains(right)), "{higher:?} {lower:?}");
        }
        assert!(!rights(Role::Manager).contains(Right::Own));
    }

    #[test]
    fn an_organization_on_hold_reads_and_is_told_why_it_may_do_no_more() {
        let held = Role::Owner.rights().suspended();
        assert!(held.require(Right::Read).is_ok() && held.iter().eq([Right::Read, Right::Own]));
        assert_eq!(held.require(Right::Stock).unwrap_err().code(), ErrorCode::ORGANIZATION_SUSPENDED);
        assert_eq!(
            Rights::NONE.suspended().require(Right::Read).unwrap_err().code(),
            ErrorCode::ORGANIZATION_SUSPENDED
        );
    }

    #[test]
    fn names_lead_back() {
        assert!(Right::ALL.iter().all(|right| Right::named(right.name()) == Some(*right)));
        assert!(Role::ALL.iter().all(|role| Role::named(role.name()) == Some(*role)));
    }
}
