//! Keywords that are not satisfied, however.

use super::*;

impl Graph<'_> {
    /// The cases in which a keyword is not satisfied, however.
    pub(super) fn keyword_fails(&mut self, keyword: &Keyword) -> Result<Cases, Unsupported> {
        Ok(match &keyword.what {
            What::Types(types) => match Types::ALL.without(*types) {
                Types::NONE => Vec::new(),
                others => one(Constraint::types(others)),
            },
            What::Values(values) => one(Constraint { not: values.clone(), ..Constraint::default() }),
            What::Numbers(numbers) => {
                let mut cases = Vec::new();
                if let Some(low) = &numbers.low {
                    cases.extend(one(with_numbers(Types::NUMBER, Numbers::high(&low.value, !low.exclusive))));
                }
                if let Some(high) = &numbers.high {
                    cases.extend(one(with_numbers(Types::NUMBER, Numbers::low(&high.value, !high.exclusive))));
                }
                if let Some(step) = numbers.multiple {
                    let numbers = Numbers { not_multiples: vec![step], ..Numbers::default() };
                    cases.extend(one(with_numbers(Types::NUMBER, numbers)));
                }
                cases
            }
            What::LeastLength(0) | What::LeastItems(0) | What::LeastProperties(0) => Vec::new(),
            What::LeastLength(least) => one(a_string(|texts| texts.most = Some(least - 1))),
            What::MostLength(most) => one(a_string(|texts| texts.least = most + 1)),
            What::Pattern(pattern) => one(a_string(|texts| texts.not_patterns.push(pattern.clone()))),
            What::Format(format) => one(a_string(|texts| texts.not_formats.push((*format, None)))),
            What::Prefix(schemas) => {
                let position = |(index, id): (usize, &Id)| {
                    an_array(|constraint| {
                        constraint.arrays.prefix = vec![Vec::new(); index];
                        constraint.arrays.prefix.push(vec![Goal::Fails(*id)]);
                        constraint.arrays.least = index + 1;
                    })
                };
                schemas.iter().enumerate().map(position).flat_map(one).collect()
            }
            What::Items { schema, from } => one(an_array(|constraint| {
                let (goal, opposite) = (Goal::Fails(*schema), Goal::Holds(*schema));
                constraint.arrays.contains.push(Contains { goal, opposite, from: *from, least: 1, most: None });
            })),
            What::Contains { schema, least, most, .. } => {
                let too_few = (*least > 0).then(|| contains(*schema, 0, Some(least.saturating_sub(1))));
                let too_many = most.map(|most| contains(*schema, most + 1, None));
                let ways = too_few.into_iter().chain(too_many);
                ways.flat_map(|way| one(an_array(|constraint| constraint.arrays.contains.push(way)))).collect()
            }
            What::LeastItems(least) => one(an_array(|constraint| constraint.arrays.most = Some(least - 1))),
            What::MostItems(most) => one(an_array(|constraint| constraint.arrays.least = most + 1)),
            What::Unique => one(an_array(|constraint| {
                constraint.arrays.repeated = true;
                constraint.arrays.least = 2;
            })),
            What::Properties(table) => {
                // One after the other: what stands before a failing row holds, so that the cases exclude each other.
                let mut cases = Vec::new();
                let mut before = Constraint::types(Types::OBJECT);
                for (name, id) in table {
                    let mut constraint = member(name, Presence::Required, &[Goal::Fails(*id)]);
                    constraint.types = Types::OBJECT;
                    if constraint.meet(&before).is_some() {
                        cases.extend(one(constraint));
                    }
                    before.meet(&member(name, Presence::Optional, &[Goal::Holds(*id)]));
                }
                cases
            }
            What::Patterns(table) => {
                let way = |(pattern, id): &(Arc<Pattern>, Id)| wanted(Some(pattern), &[], &[], Goal::Fails(*id), None);
                table.iter().map(way).flat_map(one).collect()
            }
            What::Additional { schema, names, patterns } => {
                one(wanted(None, names, patterns, Goal::Fails(*schema), None))
            }
            What::Names(schema) => {
                let mut constraint = wanted(None, &[], &[], Goal::Fails(*schema), None);
                for wanted in &mut constraint.objects.wanted {
                    wanted.name = std::mem::take(&mut wanted.value);
                }
                one(constraint)
            }
            What::Required(names) => {
                let absent = |name: &String| an_object(member(name, Presence::Forbidden, &[]));
                names.iter().map(absent).flat_map(one).collect()
            }
            What::LeastProperties(least) => {
                let mut constraint = Constraint::types(Types::OBJECT);
                constraint.objects.most = Some(least - 1);
                one(constraint)
            }
            What::MostProperties(most) => {
                let mut constraint = Constraint::types(Types::OBJECT);
                constraint.objects.least = most + 1;
                one(constraint)
            }
            What::DependentRequired(table) => {
                let mut cases = Vec::new();
                for (trigger, names) in table {
                    for name in names.iter().filter(|name| *name != trigger) {
                        let mut constraint = an_object(member(trigger, Presence::Required, &[]));
                        constraint.meet(&member(name, Presence::Forbidden, &[]));
                        cases.extend(one(constraint));
                    }
                }
                cases
            }
            What::DependentSchemas(table) => {
                let mut cases = Vec::new();
                for (trigger, id) in table {
                    let parts = self.expand(Goal::Fails(*id))?;
                    let trigger = one(an_object(member(trigger, Presence::Required, &[])));
                    cases.extend(self.cross(*id, trigger, &parts)?);
                }
                cases
            }
            What::All(schemas) => {
                let mut cases = Vec::new();
                for id in schemas {
                    cases.extend(self.expand(Goal::Fails(*id))?);
                }
                cases
            }
            What::Any(schemas) => {
                let goals: Vec<Goal> = schemas.iter().map(|id| Goal::Fails(*id)).collect();
                self.all_of(&goals)?
            }
            What::One(schemas) => {
                let mut cases = self.one_of_none(schemas)?;
                cases.extend(self.one_of_many(schemas)?);
                cases
            }
            What::Not(schema) => self.condition(Goal::Holds(*schema))?,
            What::If { condition, then, otherwise } => {
                let mut cases = Vec::new();
                for (condition, branch) in [(Goal::Holds(*condition), then), (Goal::Fails(*condition), otherwise)] {
                    if let Some(branch) = branch {
                        let holds = self.condition(condition)?;
                        let parts = self.expand(Goal::Fails(*branch))?;
                        cases.extend(self.cross(*branch, holds, &parts)?);
                    }
                }
                cases
            }
            What::Ref(schema) => self.expand(Goal::Fails(*schema))?,
            What::UnevaluatedProperties(_) | What::UnevaluatedItems(_) => Vec::new(),
        })
    }

    pub(super) fn one_of_none(&mut self, schemas: &[Id]) -> Result<Cases, Unsupported> {
        let goals: Vec<Goal> = schemas.iter().map(|id| Goal::Fails(*id)).collect();
        self.all_of(&goals)
    }

    pub(super) fn one_of_many(&mut self, schemas: &[Id]) -> Result<Cases, Unsupported> {
        let mut cases = Vec::new();
        for (index, first) in schemas.iter().enumerate() {
            for second in &schemas[index + 1..] {
                cases.extend(self.all_of(&[Goal::Holds(*first), Goal::Holds(*second)])?);
            }
        }
        Ok(cases)
    }
}
