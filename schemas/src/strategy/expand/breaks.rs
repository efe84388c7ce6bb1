//! Keywords that are broken at one detail, or below it, and nowhere else.

use super::*;

impl Graph<'_> {
    /// The cases in which a keyword is broken at just this detail.
    pub(super) fn keyword_broken(&mut self, keyword: &Keyword, detail: Detail) -> Result<Cases, Unsupported> {
        Ok(match (&keyword.what, detail) {
            (What::Types(_), _) => {
                let (without, numeric) = self.alias_types();
                let mut cases = self.keyword_fails(keyword)?;
                for case in &mut cases {
                    case.constraint.types = case.constraint.types.without(without);
                    if let Some(numeric) = &numeric {
                        case.constraint.texts.not_patterns.push(numeric.clone());
                    }
                }
                cases.retain(|case| !case.constraint.types.is_none());
                cases
            }
            (What::Required(names), Detail::Name(index)) => {
                let mut constraint = Constraint::types(Types::OBJECT);
                for (other, name) in names.iter().enumerate() {
                    let presence = if other == index { Presence::Forbidden } else { Presence::Required };
                    constraint.meet(&member(name, presence, &[]));
                }
                one(constraint)
            }
            (What::DependentRequired(table), Detail::Dependent(trigger, name)) => {
                self.dependent_required(table, Some((trigger, name)))?
            }
            (What::Format(format), Detail::FormatRule(rule)) => {
                one(a_string(|texts| texts.not_formats.push((*format, Some(rule)))))
            }
            (What::Contains { schema, least, .. }, Detail::TooFew) if *least > 0 => one(an_array(|constraint| {
                constraint.arrays.contains.push(contains(*schema, 0, Some(least - 1)));
            })),
            (What::Contains { schema, most: Some(most), .. }, Detail::TooMany) => one(an_array(|constraint| {
                constraint.arrays.contains.push(contains(*schema, most + 1, None));
            })),
            (What::One(schemas), Detail::TooFew) => self.one_of_none(schemas)?,
            (What::One(schemas), Detail::TooMany) => self.one_of_many(schemas)?,
            _ => self.keyword_fails(keyword)?,
        })
    }

    /// The cases in which the rule is broken by a schema below the keyword, and the rest of it is satisfied.
    pub(super) fn keyword_breaks_below(
        &mut self,
        keyword: &Keyword,
        child: Child,
        step: usize,
    ) -> Result<Cases, Unsupported> {
        let breaks = |id: Id| Goal::Breaks(id, step);
        Ok(match (&keyword.what, child) {
            (What::Prefix(schemas), Child::Index(index)) => one(an_array(|constraint| {
                let goal = |(at, id): (usize, &Id)| vec![if at == index { breaks(*id) } else { Goal::Holds(*id) }];
                constraint.arrays.prefix = schemas.iter().enumerate().map(goal).collect();
                constraint.arrays.least = index + 1;
            })),
            (What::Items { schema, from }, _) => one(an_array(|constraint| {
                let (goal, sound) = (breaks(*schema), Goal::Holds(*schema));
                constraint.arrays.spoiled = Some(Spoiled { goal, sound, from: *from });
            })),
            (What::Properties(table), Child::Index(index)) => {
                let mut constraint = Constraint::types(Types::OBJECT);
                for (at, (name, id)) in table.iter().enumerate() {
                    let row = if at == index {
                        Member { presence: Presence::Required, goals: vec![breaks(*id)] }
                    } else {
                        Member { presence: Presence::Optional, goals: vec![Goal::Holds(*id)] }
                    };
                    constraint.objects.members.insert(name.clone(), row);
                }
                let names = table.iter().map(|(name, _)| name.clone()).collect();
                saw(constraint, Seen { names, ..Seen::default() })
            }
            (What::Patterns(table), Child::Index(index)) => {
                let mut cases = self.keyword_holds(keyword)?;
                if let (Some((pattern, id)), Some(case)) = (table.get(index), cases.first_mut()) {
                    let spoiled = wanted(Some(pattern), &[], &[], breaks(*id), Some(Goal::Holds(*id)));
                    case.constraint.meet(&spoiled);
                }
                cases
            }
            (What::Additional { schema, names, patterns }, _) => {
                let mut cases = self.keyword_holds(keyword)?;
                let spoiled = wanted(None, names, patterns, breaks(*schema), Some(Goal::Holds(*schema)));
                for case in &mut cases {
                    case.constraint.meet(&spoiled);
                }
                cases
            }
            (What::DependentSchemas(table), Child::Branch(index)) => {
                self.dependent_schemas(table, Some((index, step)))?
            }
            (What::All(schemas), Child::Branch(index)) => {
                let goal = |(at, id): (usize, &Id)| if at == index { breaks(*id) } else { Goal::Holds(*id) };
                let goals: Vec<Goal> = schemas.iter().enumerate().map(goal).collect();
                self.all_of(&goals)?
            }
            (What::If { condition, then: Some(then), .. }, Child::Then) => {
                let holds = self.condition(Goal::Holds(*condition))?;
                let parts = self.expand(breaks(*then))?;
                self.cross(*then, holds, &parts)?
            }
            (What::If { condition, otherwise: Some(otherwise), .. }, Child::Else) => {
                let fails = self.condition(Goal::Fails(*condition))?;
                let parts = self.expand(breaks(*otherwise))?;
                self.cross(*otherwise, fails, &parts)?
            }
            (What::Ref(schema), _) => self.expand(breaks(*schema))?,
            _ => Vec::new(),
        })
    }
}
