//! What trees of executions may spend, and what they and their tenants have spent: what the ledger of the actors starts from.

use super::column_types::{json, natural};
use super::connection::AnyConnection;
use super::schema::execution_budgets;
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::quota::{Budget, Spending};
use crate::domain::{ExecutionId, TenantId, Timestamp};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

/// How a tree of executions stands with its budget.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    pub budget: Budget,
    /// By everything in the tree.
    pub spent: Spending,
}

impl Store {
    /// The account of the tree below an execution. One that nothing is known of is empty.
    pub async fn account(&self, tenant_id: TenantId, root: ExecutionId) -> Result<Account, Error> {
        self.read(move |connection| account(connection, &tenant_id.to_string(), &root.to_string())).await
    }

    /// What a tenant has spent since an instant.
    pub async fn spent_since(&self, tenant_id: TenantId, since: Timestamp) -> Result<Spending, Error> {
        self.read(move |connection| {
            let sql = "SELECT COUNT(*) AS calls, CAST(COALESCE(SUM(input_tokens + cached_input_tokens + output_tokens + \
                reasoning_tokens), 0) AS BIGINT) AS tokens, CAST(COALESCE(SUM(cost_usd), 0) AS DOUBLE PRECISION) AS cost \
                FROM usage_records WHERE tenant_id = ? AND at >= ?";
            sum(connection, Statement::new(sql, vec![Bind::Text(&tenant_id.to_string()), Bind::Integer(since.as_micros())]))
        })
        .await
    }
}

#[derive(QueryableByName)]
struct SumRow {
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = BigInt)]
    tokens: i64,
    #[diesel(sql_type = Double)]
    cost: f64,
}

fn sum(connection: &mut AnyConnection, statement: Statement<'_>) -> Result<Spending, Error> {
    let SumRow { calls, tokens, cost } = statement.get_result(connection)?;
    Ok(Spending { calls: natural("calls", calls)?, tokens: natural("tokens", tokens)?, cost_usd: cost })
}

fn account(connection: &mut AnyConnection, tenant_id: &str, root: &str) -> Result<Account, Error> {
    let budget = execution_budgets::table
        .filter(execution_budgets::execution_id.eq(root).and(execution_budgets::tenant_id.eq(tenant_id)))
        .select(execution_budgets::budget)
        .first::<String>(connection)
        .optional()?;
    let sql = "SELECT COUNT(*) AS calls, CAST(COALESCE(SUM(input_tokens + cached_input_tokens + output_tokens + \
        reasoning_tokens), 0) AS BIGINT) AS tokens, CAST(COALESCE(SUM(cost_usd), 0) AS DOUBLE PRECISION) AS cost \
        FROM usage_records WHERE root_execution_id = ? AND tenant_id = ?";
    let spent = sum(connection, Statement::new(sql, vec![Bind::Text(root), Bind::Text(tenant_id)]))?;
    Ok(Account { budget: budget.map(|text| json("budget", &text)).transpose()?.unwrap_or_default(), spent })
}

/// Stores what a tree may spend.
pub(super) fn write<'a>(tenant_id: &'a str, root: &'a str, budget: &'a str) -> Statement<'a> {
    Statement::new(
        "INSERT INTO execution_budgets (execution_id, tenant_id, budget) VALUES (?, ?, ?) \
         ON CONFLICT (execution_id) DO UPDATE SET budget = excluded.budget",
        vec![Bind::Text(root), Bind::Text(tenant_id), Bind::Text(budget)],
    )
}
